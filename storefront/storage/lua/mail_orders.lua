-- Make the mail with an address's orders due, at most once in a while.
--
-- It does the same work whether or not any order has that address, so that its time tells nobody. The
-- job names the newest order and not the address, which stands in no job and no line of a log.
-- KEYS  as in books.lua, with asked (sorted set, address by the time it was asked for, ms) in the place
--       of seen:EVENT
-- ASK   email, pause_ms (so long an address that was asked for is not asked for again)
-- ANSWER due ORDER (the newest) | none: no order has it | again: it was asked for a moment ago
-- TTL   asked ends pause_ms after the last address was asked for
-- E.g.  ada@example.com with o1 and o2: due o2; due: mail:orders:o2
local ASKED, address = SEEN, string.lower(ask.email)
redis.call('ZREMRANGEBYSCORE', ASKED, '-inf', int(now - ask.pause_ms))
if redis.call('ZADD', ASKED, 'NX', int(now), address) == 0 then return answer('again') end
redis.call('PEXPIRE', ASKED, int(ask.pause_ms))
local newest = redis.call('ZREVRANGEBYLEX', MAILBOXES, '(' .. address .. '!', '[' .. address .. ' ', 'LIMIT', 0, 1)[1]
if not newest then return answer('none') end
local order = string.match(newest, '%S+$')
schedule_anew('mail:orders:' .. order, now)
return answer('due', order)
