-- lease in ms -> {what a worker says of itself, when it was heard of}...
local workers = {}
local seen = redis.call('ZRANGEBYSCORE', SEEN, now() - tonumber(ARGV[1]), '+inf', 'WITHSCORES')
for i = 1, #seen, 2 do
  local info = redis.call('HGET', WORKERS, seen[i])
  if info then table.insert(workers, { info, seen[i + 1] }) end
end
return workers
