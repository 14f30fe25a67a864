-- worker, what it says of itself
local worker, info = unpack(ARGV)
redis.call('HSET', WORKERS, worker, info)
redis.call('ZADD', SEEN, now(), worker)
