-- lease in ms, time to live in ms, most jobs to keep that ended, limit -> whether there is more to do
local lease, ttl, most, limit = unpack(ARGV)
local time = now()

-- What frees memory comes first: it is allowed when the memory is full, the rest is not.
local old = redis.call('ZRANGEBYSCORE', ENDED, '-inf', time - tonumber(ttl), 'LIMIT', 0, limit)
local over = math.min(redis.call('ZCARD', ENDED) - tonumber(most), tonumber(limit))
if over > #old then old = redis.call('ZRANGE', ENDED, 0, over - 1) end
for _, id in ipairs(old) do
  local ended = job(id)
  if ended then
    unindex(id, ended.ticker, ended.status)
    if ended.batch then redis.call('LREM', key('batch', ended.batch), 1, id) end
  end
  redis.call('DEL', key('job', id), events_of(id), key('checkpoint', id))
  redis.call('ZREM', ENDED, id)
end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', SEEN, '-inf', time - tonumber(lease))) do
  redis.call('HDEL', WORKERS, worker)
  redis.call('ZREM', SEEN, worker)
end

local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', time, 'LIMIT', 0, limit)
for _, id in ipairs(due) do
  local priority = redis.call('HGET', key('job', id), 'priority')
  redis.call('HSET', key('job', id), 'entry', make_ready(id, priority))
  redis.call('ZREM', DELAYED, id)
end
return math.max(#old, #due) == tonumber(limit) and 1 or 0
