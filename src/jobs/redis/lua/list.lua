-- status or '', ticker or '', cursor or '', limit -> {records, whether there are more}
local status, ticker, cursor, limit = unpack(ARGV)
limit = tonumber(limit)
local from = cursor == '' and '+' or '(' .. cursor

-- The newest of each index that is asked for, one more than a page holds; the newest of all are among them.
local ids = {}
for _, each in ipairs(status == '' and STATUSES or { status }) do
  local jobs = ticker == '' and by_status(each) or by_ticker(ticker, each)
  for _, id in ipairs(redis.call('ZRANGE', jobs, from, '-', 'BYLEX', 'REV', 'LIMIT', 0, limit + 1)) do
    table.insert(ids, id)
  end
end
table.sort(ids, function(a, b) return a > b end)
local page = {}
for i = 1, math.min(limit, #ids) do page[i] = record(ids[i]) end
return { page, #ids > limit and 1 or 0 }
