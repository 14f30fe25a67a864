-- id, attempt, checkpoint or '', event... -> 1, or 0 if the lease is lost
local id, attempt, checkpoint = unpack(ARGV, 1, 3)
local running = job(id)
if not running or not runs_under(running, attempt) then return 0 end
for i = 4, #ARGV do emit(id, ARGV[i]) end
if checkpoint ~= '' then redis.call('SET', key('checkpoint', id), checkpoint) end
-- Claiming the entry anew sets its idle time to 0.
redis.call('XCLAIM', ready_of(running.priority), GROUP, CONSUMER, 0, running.entry, 'JUSTID')
return 1
