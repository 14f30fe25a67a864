-- batch -> records of its jobs, in the order of their submission
return records(redis.call('LRANGE', key('batch', ARGV[1]), 0, -1))
