-- worker -> {record, checkpoint}, or false if no job is ready
local worker = ARGV[1]

-- XREADGROUP is allowed when the memory is full, what follows is not. This write fails first then, and nothing is taken.
redis.call('HINCRBY', key('counters'), 'claims', 1)

local function next_entry()
  local read = function()
    return redis.pcall('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', 1, 'STREAMS', READY, '>')
  end
  local reply = read()
  if type(reply) == 'table' and reply.err then
    -- There is no group yet, or no more.
    make_group()
    reply = read()
    if type(reply) == 'table' and reply.err then return error(reply) end
  end
  if not reply then return nil end
  local entry = reply[1][2][1]
  return entry[1], fields(entry[2]).job
end

while true do
  local entry, id = next_entry()
  if not entry then return false end
  local claimed = job(id)
  if claimed and claimed.status == 'pending' and claimed.entry == entry then
    local attempt = tonumber(claimed.attempt) + 1
    local checkpoint = redis.call('GET', key('checkpoint', id))
    emit(id, cjson.encode({
      type = 'claimed',
      data = { worker = worker, attempt = attempt, resumed = checkpoint ~= false },
    }))
    redis.call('HSET', key('job', id), 'status', 'running', 'attempt', attempt, 'started_at', now(), 'worker', worker)
    move(id, 'pending', 'running')
    return { record(id), checkpoint }
  end
  -- An entry of a job that is gone.
  leave(id, entry)
end
