-- -> the id of the last event in the feed
local last = redis.call('XREVRANGE', FEED, '+', '-', 'COUNT', 1)[1]
return last and last[1] or '0-0'
