-- Note a dispute as Stripe tells it; the first word of one that may cost money is for a person.
--
-- KEYS  as in books.lua
-- ASK   order, dispute, payment_intent, amount (minor units), status, reason (a sentence),
--       event
-- ANSWER review | recorded (it was known, or is over in the shop's favour) | already | unknown_order
-- TTL   hold:ID loses its TTL with review
-- E.g.  the bank takes 2500 back from a paid order: review, its units stay sold; due: mail:review:ORDER
local RANK = { won = 2, lost = 2, warning_closed = 2, prevented = 2 }
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'reason', 'dispute:' .. ask.dispute)
if not fields[1] then return answer('unknown_order') end
local was = fields[4] and cjson.decode(fields[4])
if was and (RANK[was.status] or 1) >= (RANK[ask.status] or 1) then return answer('already') end
redis.call('HSET', ORDER, 'dispute:' .. ask.dispute,
  cjson.encode({ payment_intent = ask.payment_intent, amount = ask.amount, status = ask.status }))
if was or (RANK[ask.status] and ask.status ~= 'lost') then return answer('recorded') end
keep_for_a_person(cjson.decode(fields[2]))
local before = fields[1] == 'review' and fields[3] ~= '' and fields[3] .. '; ' or ''
set_state('review', before .. ask.reason)
schedule_anew('mail:review:' .. ask.order, now)
return answer('review')
