-- job or '', event, limit -> {events after that one, as they are published; whether some right after it are gone}
local id, after, limit = unpack(ARGV)
limit = tonumber(limit)

local function precedes(a, b)
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end

local function of_all()
  if redis.call('EXISTS', FEED) == 0 then return {}, false end
  local info = fields(redis.call('XINFO', 'STREAM', FEED))
  local trimmed = info['entries-added'] > info.length
  local first = info['first-entry'] and info['first-entry'][1] or after
  local events = {}
  for i, entry in ipairs(redis.call('XRANGE', FEED, '(' .. after, '+', 'COUNT', limit)) do
    local event = fields(entry[2])
    events[i] = entry[1] .. ' ' .. event.job .. ' ' .. event.kind
  end
  return events, trimmed and precedes(after, first)
end

local function of_job()
  local kept = events_of(id)
  -- They are in order, so the first one after `after` is found by halving.
  local low, high = 0, redis.call('LLEN', kept)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if precedes(after, redis.call('LINDEX', kept, middle)) then high = middle else low = middle + 1 end
  end
  local events = redis.call('LRANGE', kept, low, low + limit - 1)
  -- A job's first event is its submission; if it is gone, so may be others.
  local gap = low == 0 and events[1] and not string.find(events[1], '"type":"submitted"', 1, true)
  for i, event in ipairs(events) do
    local at, kind = string.match(event, '^(%S+) (.*)$')
    events[i] = at .. ' ' .. id .. ' ' .. kind
  end
  return events, gap
end

local events, gap
if id == '' then events, gap = of_all() else events, gap = of_job() end
return { events, gap and 1 or 0 }
