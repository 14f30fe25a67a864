-- What all scripts share. KEYS[1] is the queue's name: every key begins with it, and so carries its hash tag, which
-- keeps them on one node of a cluster. One is of no script: `probe`, which health checks write to see whether they can.

local QUEUE = KEYS[1]

-- Up to four parts. One expression for each number of them: this runs in every script, and what it makes on the way costs
-- more than the commands.
local function key(a, b, c, d)
  if not b then return QUEUE .. ':' .. a end
  if not c then return QUEUE .. ':' .. a .. ':' .. b end
  if not d then return QUEUE .. ':' .. a .. ':' .. b .. ':' .. c end
  return QUEUE .. ':' .. a .. ':' .. b .. ':' .. c .. ':' .. d
end

local DELAYED = key('delayed')
local ENDED = key('ended')
local FEED = key('events')
-- A channel alone: what models are writing is not stored.
local DRAFTS = key('drafts')
local WEBHOOKS = key('webhooks')
local WORKERS = key('workers')
local SEEN = key('workers', 'seen')

-- Ready jobs wait in a stream for each priority; a job without one has the normal one. Whoever waits for jobs listens on
-- one channel for all.
local PRIORITIES = { 'high', 'normal', 'low' }
local WAKE = key('ready')
local function ready_of(priority)
  if not priority or priority == 'normal' then return key('ready') end
  return key('ready', priority)
end

-- One group for all workers, and one consumer in it: who runs a job is in its record, and a lease is the idle time of
-- the job's entry.
local GROUP, CONSUMER = 'workers', 'workers'

local FEED_LENGTH, JOB_EVENTS_LENGTH = 50000, 1000

-- Milliseconds of the Unix time, by the server's clock.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A flat reply of names and values as a table.
local function fields(flat)
  local result = {}
  for i = 1, #flat, 2 do result[flat[i]] = flat[i + 1] end
  return result
end

local function record(id)
  return redis.call('HGETALL', key('job', id))
end

local function job(id)
  local flat = record(id)
  if #flat > 0 then return fields(flat) end
end

-- The records of those jobs that are kept.
local function records(ids)
  local result = {}
  for _, id in ipairs(ids) do
    local flat = record(id)
    if #flat > 0 then table.insert(result, flat) end
  end
  return result
end

-- Every job is in two indexes: that of its status, and that of its ticker and status. Both are in the order of the ids.
local STATUSES = { 'pending', 'running', 'completed', 'failed', 'cancelled' }
local function by_status(status) return key('jobs', 'status', status) end
local function by_ticker(ticker, status) return key('jobs', 'ticker', ticker, status) end

local function index(id, ticker, status)
  redis.call('ZADD', by_status(status), 0, id)
  redis.call('ZADD', by_ticker(ticker, status), 0, id)
end

local function unindex(id, ticker, status)
  redis.call('ZREM', by_status(status), id)
  redis.call('ZREM', by_ticker(ticker, status), id)
end

local function events_of(id) return key('job', id, 'events') end

-- Appends an event to the feed and to the job's own events, under one id, and tells those who listen; returns the id. The
-- job's are a list, which for a few events is a tenth as large as a stream.
local function emit(id, kind)
  local event = redis.call('XADD', FEED, 'MAXLEN', '~', FEED_LENGTH, '*', 'job', id, 'kind', kind)
  local length = redis.call('RPUSH', events_of(id), event .. ' ' .. kind)
  if length > JOB_EVENTS_LENGTH then redis.call('LTRIM', events_of(id), -JOB_EVENTS_LENGTH, -1) end
  redis.call('PUBLISH', FEED, event .. ' ' .. id .. ' ' .. kind)
  return event
end

-- Queues a job, wakes those who wait for one, and returns the id of its entry.
local function make_ready(id, priority)
  local entry = redis.call('XADD', ready_of(priority), '*', 'job', id)
  redis.call('PUBLISH', WAKE, entry)
  return entry
end

-- Takes a job out of the queue, wherever it is there.
local function leave(id, entry, priority)
  if entry ~= '' then
    redis.pcall('XACK', ready_of(priority), GROUP, entry)
    redis.call('XDEL', ready_of(priority), entry)
  end
  redis.call('ZREM', DELAYED, id)
end

local function move(job, to)
  unindex(job.id, job.ticker, job.status)
  index(job.id, job.ticker, to)
end

-- Whether the job runs under this attempt, and of this worker.
local function runs_under(job, attempt, worker)
  return job.status == 'running' and job.attempt == attempt and (job.worker or '') == worker
end

-- Milliseconds since the holder of the lease wrote for the last time; none if nobody holds it.
local function idle(job)
  local pending = redis.pcall('XPENDING', ready_of(job.priority), GROUP, job.entry, job.entry, 1)
  if pending.err or #pending == 0 then return nil end
  return pending[1][3]
end
