-- id, ticker, request, event -> record
-- A job that is there already, from a submit whose answer was lost, is left as it is.
local id, ticker, request, kind = unpack(ARGV)
if redis.call('EXISTS', key('job', id)) == 0 then
  emit(id, kind)
  redis.call('HSET', key('job', id), 'id', id, 'ticker', ticker, 'request', request, 'status', 'pending', 'attempt', 0,
    'retry_count', 0, 'created_at', now(), 'entry', make_ready(id))
  redis.call('ZADD', JOBS, 0, id)
  redis.call('ZADD', by_ticker(ticker), 0, id)
  redis.call('ZADD', by_status('pending'), 0, id)
end
return record(id)
