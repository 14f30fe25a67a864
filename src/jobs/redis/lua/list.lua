-- status or '', ticker or '', cursor or '', limit -> {records, whether there are more, the cursor of the next page}
local status, ticker, cursor, limit = unpack(ARGV)
limit = tonumber(limit)
local index = JOBS
if ticker ~= '' then index = by_ticker(ticker) elseif status ~= '' then index = by_status(status) end

-- A listing by ticker and status looks at so many jobs at most, and goes on in the next page.
local SCANNED = 5000
local from = cursor == '' and '+' or '(' .. cursor
local records, scanned, last = {}, 0, ''
while #records < limit and scanned < SCANNED do
  local ids = redis.call('ZRANGE', index, from, '-', 'BYLEX', 'REV', 'LIMIT', 0, math.min(limit - #records + 1, 500))
  if #ids == 0 then return { records, 0, '' } end
  for _, id in ipairs(ids) do
    if #records == limit then return { records, 1, last } end
    local flat = record(id)
    if status == '' or fields(flat).status == status then table.insert(records, flat) end
    last = id
  end
  scanned = scanned + #ids
  from = '(' .. last
end
local more = #redis.call('ZRANGE', index, from, '-', 'BYLEX', 'REV', 'LIMIT', 0, 1)
return { records, more, last }
