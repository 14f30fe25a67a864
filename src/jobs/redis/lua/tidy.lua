-- lease in ms, time to live in ms, limit
local lease, ttl, limit = unpack(ARGV)
local time = now()

-- What frees memory comes first: it is allowed when the memory is full, the rest is not.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ENDED, '-inf', time - tonumber(ttl), 'LIMIT', 0, limit)) do
  local old = job(id)
  if old then
    redis.call('ZREM', by_status(old.status), id)
    redis.call('ZREM', by_ticker(old.ticker), id)
  end
  redis.call('ZREM', JOBS, id)
  redis.call('DEL', key('job', id), key('events', id), key('checkpoint', id))
  redis.call('ZREM', ENDED, id)
end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', SEEN, '-inf', time - tonumber(lease))) do
  redis.call('HDEL', WORKERS, worker)
  redis.call('ZREM', SEEN, worker)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', time, 'LIMIT', 0, limit)) do
  redis.call('HSET', key('job', id), 'entry', make_ready(id))
  redis.call('ZREM', DELAYED, id)
end
