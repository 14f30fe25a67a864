-- lease in ms -> {event, message}, or false if none is due
local time = now()
local event = redis.call('ZRANGEBYSCORE', WEBHOOKS, '-inf', time, 'LIMIT', 0, 1)[1]
if not event then return false end
redis.call('ZADD', WEBHOOKS, time + tonumber(ARGV[1]), event)
redis.call('HINCRBY', key('webhook', event), 'attempt', 1)
return { event, redis.call('HGETALL', key('webhook', event)) }
