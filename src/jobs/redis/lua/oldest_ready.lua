-- -> for how many milliseconds the job has been ready that has been so for longest; none if no job is ready
local oldest
for _, priority in ipairs(PRIORITIES) do
  local ready, taken = ready_of(priority), '-'
  -- The entries after the last one that was claimed. Without a group nothing was.
  local groups = redis.pcall('XINFO', 'GROUPS', ready)
  if not groups.err and groups[1] then taken = '(' .. fields(groups[1])['last-delivered-id'] end
  local entry = redis.call('XRANGE', ready, taken, '+', 'COUNT', 1)[1]
  local since = entry and tonumber(entry[1]:match('^%d+'))
  if since and (not oldest or since < oldest) then oldest = since end
end
return oldest and math.max(now() - oldest, 0)
