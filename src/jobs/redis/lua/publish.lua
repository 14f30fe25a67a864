-- id, attempt, worker, draft -> nothing. Publishes the draft if the job runs under this attempt and worker; writes nothing.
local id, attempt, worker, draft = unpack(ARGV)
local status, running, holder = unpack(redis.call('HMGET', key('job', id), 'status', 'attempt', 'worker'))
if runs_under({ status = status, attempt = running, worker = holder }, attempt, worker) then
  redis.call('PUBLISH', DRAFTS, id .. ' ' .. draft)
end
