-- Cancel an order whose money was only authorised: the units go at once, the authorisation soon.
--
-- Should the money be captured all the same, it goes back (settle_payment).
-- KEYS  as in books.lua
-- ASK   order, to (available, written_off), reason (why, for the ledger), who
-- ANSWER cancelled | already | kept STATE | unknown_order
-- E.g.  an authorised order of 2: cancelled; sold -2, available +2, state void_due; due: void:ORDER:PAYMENT
assert(ask.to == 'available' or ask.to == 'written_off', 'where the units go')
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'basket', 'paid_by')
local state, payment = fields[1], fields[4]
if not state then return answer('unknown_order') end
if payment and redis.call('HGET', ORDER, 'void_reason:' .. payment) == 'cancelled' then return answer('already') end
if state ~= 'authorized' then return answer('kept', state) end
local lines = cjson.decode(fields[2])
assert(units_at(lines) == 'sold', 'the books disagree: nothing is sold')
local line = ask.to == 'available' and strangers(lines)
if line then return line end
redis.call('HSET', ORDER, 'void_reason:' .. payment, 'cancelled')
redis.call('ZREM', DUE, 'capture:' .. ask.order .. ':' .. payment)
schedule('void:' .. ask.order .. ':' .. payment, now)
move_order(lines, fields[3], 'sold', ask.to, 'return', ask.reason, ask.who)
set_state('void_due', 'cancelled')
return answer('cancelled')
