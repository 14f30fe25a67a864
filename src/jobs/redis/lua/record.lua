-- id, attempt, worker, number, checkpoint or '', event... -> 1, or 0 if the lease is lost
local id, attempt, worker, number, checkpoint = unpack(ARGV, 1, 5)
local running = job(id)
if not running or not runs_under(running, attempt, worker) then return 0 end
-- Otherwise it is written, and the answer was lost.
if tonumber(number) > tonumber(running.recorded or 0) then
  for i = 6, #ARGV do emit(id, ARGV[i]) end
  if checkpoint ~= '' then redis.call('SET', key('checkpoint', id), checkpoint) end
  redis.call('HSET', key('job', id), 'recorded', number)
end
-- Claiming the entry anew sets its idle time to 0. After a write in the same script, a full Redis would allow the others too.
redis.call('XCLAIM', ready_of(running.priority), GROUP, CONSUMER, 0, running.entry, 'JUSTID')
return 1
