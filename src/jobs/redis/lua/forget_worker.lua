-- worker
redis.call('HDEL', WORKERS, ARGV[1])
redis.call('ZREM', SEEN, ARGV[1])
