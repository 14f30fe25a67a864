-- lease in ms, limit -> records of running jobs whose lease is over
local lease, limit = unpack(ARGV)
local over = {}
for _, priority in ipairs(PRIORITIES) do
  local ready = ready_of(priority)
  local pending = redis.pcall('XPENDING', ready, GROUP, 'IDLE', lease, '-', '+', limit)
  for _, item in ipairs(pending.err and {} or pending) do
    local entry = redis.call('XRANGE', ready, item[1], item[1])[1]
    local id = entry and fields(entry[2]).job
    local running = id and job(id)
    if running and running.status == 'running' and running.entry == item[1] then
      table.insert(over, record(id))
    else
      redis.call('XACK', ready, GROUP, item[1])
      redis.call('XDEL', ready, item[1])
    end
  end
end
return over
