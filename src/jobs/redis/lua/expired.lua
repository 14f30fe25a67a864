-- lease in ms, limit -> records of running jobs whose lease is over
local lease, limit = unpack(ARGV)
local pending = redis.pcall('XPENDING', READY, GROUP, 'IDLE', lease, '-', '+', limit)
if pending.err then return {} end
local records = {}
for _, item in ipairs(pending) do
  local entry = redis.call('XRANGE', READY, item[1], item[1])[1]
  local id = entry and fields(entry[2]).job
  local running = id and job(id)
  if running and running.status == 'running' and running.entry == item[1] then
    table.insert(records, record(id))
  else
    redis.call('XACK', READY, GROUP, item[1])
    redis.call('XDEL', READY, item[1])
  end
end
return records
