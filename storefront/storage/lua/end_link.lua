-- Let a payment link sell no more; its units stay set aside until Stripe says that nobody can pay.
--
-- KEYS  as in books.lua, with link:ID (hash) in the place of order:ID
-- ASK   order (link:ID), link, why, who
-- ANSWER ending | already STATE | unknown_link
-- E.g.  an open link: ending; state closing, due: unlink:ID
local LINK = ORDER
local state = redis.call('HGET', LINK, 'state')
if not state then return answer('unknown_link') end
if state == 'closing' or state == 'closed' then return answer('already', state) end
redis.call('HSET', LINK, 'state', 'closing', 'why', ask.why, 'who', ask.who)
schedule('unlink:' .. ask.link, now)
return answer('ending')
