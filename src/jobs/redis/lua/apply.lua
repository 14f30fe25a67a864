-- id, guard, attempt, worker, lease in ms, status, delay in ms, 'count' or 'reset' of the retries or '', error type, error,
-- decision, event
--   -> {1, record} done, {0, record} refused, or false if there is no such job
local id, guard, attempt, worker, lease, status, delay, retries, error_type, error, decision, kind = unpack(ARGV)
local before = job(id)
if not before then return false end

local holds
if guard == 'unfinished' then
  holds = before.status == 'pending' or before.status == 'running'
elseif guard == 'failed' then
  holds = before.status == 'failed'
else
  holds = runs_under(before, attempt, worker)
  if holds and guard == 'expired' then
    local silent = idle(before)
    holds = not silent or silent >= tonumber(lease)
  end
end
-- What ended an attempt for its holder: it may ask again, if the answer was lost.
local ending = guard == 'held' and attempt .. ' ' .. status .. ' ' .. worker
if not holds then return { ending and before.ending == ending and 1 or 0, record(id) } end

local event = emit(id, kind)
leave(id, before.entry, before.priority)
local change = { 'status', status, 'entry', '' }
local function set(...)
  for _, value in ipairs({ ... }) do table.insert(change, value) end
end
if ending then set('ending', ending) end
if retries == 'count' then set('retry_count', tonumber(before.retry_count) + 1) end
if retries == 'reset' then set('retry_count', 0) end
if error_type ~= '' then set('error_type', error_type, 'error', error) end
if decision ~= '' then set('decision', decision) end
if status ~= 'pending' then
  set('completed_at', now())
elseif delay == '0' then
  set('entry', make_ready(id, before.priority))
else
  redis.call('ZADD', DELAYED, now() + tonumber(delay), id)
end
redis.call('HSET', key('job', id), unpack(change))
move(before, status)
if status == 'completed' then redis.call('HDEL', key('job', id), 'error', 'error_type') end
if status ~= 'pending' then
  redis.call('ZADD', ENDED, now(), id)
  redis.call('DEL', key('checkpoint', id))
  if before.webhook then
    redis.call('HSET', key('webhook', event), 'job', id, 'request', before.request, 'batch', before.batch or '',
      'created_at', before.created_at, 'end', kind, 'attempt', 0,
      'receiver', before.request:match('"webhook_url":"%a+://([^/?#"]*)') or '')
    redis.call('ZADD', WEBHOOKS, now(), event)
    redis.call('HSET', key('job', id), 'webhook_event', event, 'webhook_status', 'pending', 'webhook_attempts', 0)
    redis.call('HDEL', key('job', id), 'webhook_error')
  end
elseif before.completed_at then
  redis.call('ZREM', ENDED, id)
  redis.call('HDEL', key('job', id), 'completed_at', 'webhook_event')
end
return { 1, record(id) }
