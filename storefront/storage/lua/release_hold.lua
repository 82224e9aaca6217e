-- Give an order's held units back, on Stripe's word that nothing can be paid any more.
--
-- The word counts for one session only: an order that has another one by now keeps its units. From
-- review only a person gives units back, and only those of an order that nothing was paid for.
-- KEYS  as in books.lua
-- ASK   order, session (empty: Stripe says that none exists), version (then: of the key asked with),
--       reason, who (an operator who releases by hand, else empty), event
-- ANSWER released | already | kept STATE (while the books are not known to be whole, an offer is kept, too:
--       it may have been taken; so is an order whose way was not chosen, and any for which Stripe has no
--       session: it may have been asked for another since) | other_session SESSION | unknown_order
-- E.g.  an offer (version 0) at its deadline: released; its place is missed, due: mail:offer-missed, and
--       the unit is the next one's. An open order whose session expired: released; held -2, available +2. By a person's word: the
--       session that may still be open is to be ended; due: stray:ORDER:SESSION. Declined: due: mail:declined
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'basket', 'session', 'session_version', 'ending', 'paid_by', 'place', 'mail:declined')
local state, session = fields[1], fields[4] or ''
if not state then return answer('unknown_order') end
if state == 'released' then return answer('already') end
local lines = cjson.decode(fields[2])
local holding = state == 'offered' or state == 'pending' or state == 'open' or state == 'processing'
  or (state == 'review' and ask.who ~= '' and not fields[7] and units_at(lines) == 'held')
if not holding then return answer('kept', state) end
local nobodys = session == '' and ask.session == '' and ask.who == ''
local unasked = state == 'offered' or state == 'pending' and (fields[5] == '0' or nobodys)
if unasked and door_stands(DOOR, STOCKED) ~= 'open' then return answer('kept', state) end
-- About an offer Stripe never knew anything; version 0 says that the word is about one.
local word = ask.who == '' or ask.version == 0
if word and session ~= ask.session then return answer('other_session', session) end
if word and session == '' and tonumber(fields[5]) ~= ask.version then return answer('other_session', session) end
-- Who ended the session knows why; Stripe's event of it only says that it expired.
local reason = ask.reason == 'expired' and fields[6] or ask.reason
assert(units_at(lines) == 'held', 'the books disagree: the order holds nothing')
local line = strangers(lines)
if line then return line end
end_hold(lines)
move_order(lines, fields[3], 'held', 'available', 'release', reason, ask.who)
set_state('released', reason)
-- Its shopper was done and has left: nothing else says that the money did not come.
if reason == 'declined' and not fields[9] then schedule('mail:declined:' .. ask.order, now) end
if state == 'offered' then
  local how = reason == 'expired' and 'missed' or ask.who ~= '' and 'stopped' or 'left'
  end_place(fields[8], how, ask.order)
  redis.call('ZREM', DUE, 'mail:offer:' .. ask.order)
  if how ~= 'left' then schedule('mail:offer-missed:' .. ask.order, now) end
end
if ask.who ~= '' and session ~= '' then schedule('stray:' .. ask.order .. ':' .. session, now) end
return answer('released')
