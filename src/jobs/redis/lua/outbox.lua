-- -> {how many messages are not delivered, for how many milliseconds the first of them has been due}
local first = redis.call('ZRANGE', WEBHOOKS, 0, 0, 'WITHSCORES')
return { redis.call('ZCARD', WEBHOOKS), first[2] and math.max(now() - tonumber(first[2]), 0) or 0 }
