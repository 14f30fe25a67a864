-- most pending jobs or '', idempotency key or '', fingerprint, how long the key is kept in ms, batch or '';
-- then of each job: id, ticker, priority, when it may begin in ms or '', whether its end is told by webhook, request, event
--   -> {'stored' or 'repeated', jobs}, {'conflict', {}} or {'full', {}}
-- A job is its record, or the time in ms at which it was stored now: the rest whoever submits it knows. A job that is there
-- already, from a submit whose answer was lost, is left as it is.
local most, idempotency, fingerprint, kept, batch = unpack(ARGV, 1, 5)
local FIRST, SIZE = 6, 7

-- What was submitted before with the same key, while any of it is kept.
if idempotency ~= '' then
  local before = redis.call('HGETALL', key('idempotency', idempotency))
  if #before > 0 then
    before = fields(before)
    local ids = before.batch == '' and { before.job } or redis.call('LRANGE', key('batch', before.batch), 0, -1)
    local kept_jobs = records(ids)
    if #kept_jobs > 0 then
      if before.fingerprint ~= fingerprint then return { 'conflict', {} } end
      return { 'repeated', kept_jobs }
    end
  end
end

-- The jobs, and the places of those that are not there yet.
local ids, new = {}, {}
for i = FIRST, #ARGV, SIZE do
  table.insert(ids, ARGV[i])
  if redis.call('EXISTS', key('job', ARGV[i])) == 0 then table.insert(new, i) end
end
if most ~= '' and #new > 0 and redis.call('ZCARD', by_status('pending')) + #new > tonumber(most) then
  return { 'full', {} }
end

local function add(id, ticker, priority, due, webhook, request, kind)
  emit(id, kind)
  local time = now()
  local waits = due ~= '' and tonumber(due) > time
  redis.call('HSET', key('job', id), 'id', id, 'ticker', ticker, 'request', request, 'status', 'pending', 'attempt', 0,
    'retry_count', 0, 'created_at', time, 'entry', waits and '' or make_ready(id, priority))
  if waits then redis.call('ZADD', DELAYED, due, id) end
  if priority ~= 'normal' then redis.call('HSET', key('job', id), 'priority', priority) end
  if webhook == '1' then redis.call('HSET', key('job', id), 'webhook', 1) end
  if batch ~= '' then
    redis.call('HSET', key('job', id), 'batch', batch)
    redis.call('RPUSH', key('batch', batch), id)
  end
  index(id, ticker, 'pending')
  return time
end

local stored = {}
for _, i in ipairs(new) do stored[ARGV[i]] = add(unpack(ARGV, i, i + SIZE - 1)) end
if idempotency ~= '' then
  redis.call('HSET', key('idempotency', idempotency), 'fingerprint', fingerprint, 'batch', batch, 'job', ids[1])
  redis.call('PEXPIRE', key('idempotency', idempotency), kept)
end
local jobs = {}
for i, id in ipairs(ids) do jobs[i] = stored[id] or record(id) end
return { 'stored', jobs }
