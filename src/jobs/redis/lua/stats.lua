-- status... -> how many jobs have each
local counts = {}
for i, status in ipairs(ARGV) do counts[i] = redis.call('ZCARD', by_status(status)) end
return counts
