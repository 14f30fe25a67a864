-- batch -> ids of its jobs, in the order of their submission
return redis.call('LRANGE', key('batch', ARGV[1]), 0, -1)
