-- worker, priority... in the order in which they are looked for -> {record, checkpoint}, or false if no job is ready
local worker = ARGV[1]

-- XREADGROUP is allowed when the memory is full, what follows is not. This write fails first then, and nothing is taken.
redis.call('HINCRBY', key('counters'), 'claims', 1)

local function next_entry(ready)
  local read = function()
    return redis.pcall('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', 1, 'STREAMS', ready, '>')
  end
  local reply = read()
  if type(reply) == 'table' and reply.err then
    -- There is no group yet, or no more.
    redis.pcall('XGROUP', 'CREATE', ready, GROUP, '0', 'MKSTREAM')
    reply = read()
    if type(reply) == 'table' and reply.err then return error(reply) end
  end
  if not reply then return nil end
  local entry = reply[1][2][1]
  return entry[1], fields(entry[2]).job
end

-- A table as a flat list of names and values.
local function flat(record)
  local list = {}
  for name, value in pairs(record) do
    list[#list + 1] = name
    list[#list + 1] = value
  end
  return list
end

local function claim(priority)
  while true do
    local entry, id = next_entry(ready_of(priority))
    if not entry then return nil end
    local claimed = job(id)
    if claimed and claimed.status == 'pending' and claimed.entry == entry then
      local attempt = tonumber(claimed.attempt) + 1
      -- A job that never ran has none.
      local checkpoint = claimed.recorded and redis.call('GET', key('checkpoint', id)) or false
      emit(id, cjson.encode({
        type = 'claimed',
        data = { worker = worker, attempt = attempt, resumed = checkpoint ~= false },
      }))
      local time = now()
      redis.call('HSET', key('job', id), 'status', 'running', 'attempt', attempt, 'started_at', time, 'worker', worker,
        'recorded', 0)
      move(claimed, 'running')
      -- The record as it is now, without the cost of asking for it once more.
      claimed.status, claimed.attempt, claimed.started_at, claimed.worker = 'running', attempt, time, worker
      return { flat(claimed), checkpoint }
    end
    -- An entry of a job that is gone.
    leave(id, entry, priority)
  end
end

for i = 2, #ARGV do
  local claimed = claim(ARGV[i])
  if claimed then return claimed end
end
return false
