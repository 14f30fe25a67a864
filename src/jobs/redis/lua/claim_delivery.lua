-- lease in ms, how many are looked at, receiver that is busy... -> {event, message}, or false if none is due for another
local lease, limit = unpack(ARGV)
local time = now()
local busy = {}
for i = 3, #ARGV do busy[ARGV[i]] = true end
for _, event in ipairs(redis.call('ZRANGEBYSCORE', WEBHOOKS, '-inf', time, 'LIMIT', 0, #ARGV > 2 and limit or 1)) do
  local message = key('webhook', event)
  if not busy[redis.call('HGET', message, 'receiver')] then
    redis.call('ZADD', WEBHOOKS, time + tonumber(lease), event)
    redis.call('HINCRBY', message, 'attempt', 1)
    return { event, redis.call('HGETALL', message) }
  end
end
return false
