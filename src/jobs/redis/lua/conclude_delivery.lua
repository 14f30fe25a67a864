-- event, attempt, status, delay in ms, error or ''
local event, attempt, status, delay, error = unpack(ARGV)
local message = key('webhook', event)
if redis.call('HGET', message, 'attempt') ~= attempt then return end

-- The job may be forgotten, or have been tried again and ended anew.
local told = key('job', redis.call('HGET', message, 'job'))
if redis.call('HGET', told, 'webhook_event') == event then
  redis.call('HSET', told, 'webhook_status', status, 'webhook_attempts', attempt)
  if error == '' then redis.call('HDEL', told, 'webhook_error') else redis.call('HSET', told, 'webhook_error', error) end
end
if status == 'pending' then
  redis.call('ZADD', WEBHOOKS, now() + tonumber(delay), event)
else
  redis.call('ZREM', WEBHOOKS, event)
  redis.call('DEL', message)
end
