-- job or '', event, limit -> {entries after the event, whether some right after it are gone}
local id, after, limit = unpack(ARGV)
local stream = id == '' and FEED or key('events', id)
if redis.call('EXISTS', stream) == 0 then return { {}, 0 } end
local info = fields(redis.call('XINFO', 'STREAM', stream))
local trimmed = info['entries-added'] > info.length
local first = info['first-entry'] and info['first-entry'][1] or after

local function precedes(a, b)
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end

local gap = trimmed and precedes(after, first)
return { redis.call('XRANGE', stream, '(' .. after, '+', 'COUNT', limit), gap and 1 or 0 }
