-- Keep how the goods are to reach the shopper, before there is anything to pay on our own page.
--
-- It is chosen once: from then on the amount is fixed, and the order's only PaymentIntent may be made,
-- under the first number of its key. Before, none can exist; but after a restart of Redis the choice may
-- be lost that one was made for, so until the books are compared only that payment itself may tell it.
-- KEYS  as in books.lua
-- ASK   order, parts (see books.lua), ask_ms (after so long with no payment page the worker looks), told
--       (of the order's payment at Stripe, which says so: {terms (JSON), form} of an offer that was
--       taken before Redis lost it, else both empty)
-- ANSWER chosen | already (there was a choice before, which stands; told what is known) | too_late STATE: the hold is
--       over, or its time is | closed WHY (restarted, rebuild, empty: as in door.lua) | unknown_order
-- E.g.  delivery for 490: chosen; amount +490, session_version 1, due: ask in half a minute
local order = redis.call('HMGET', ORDER, 'state', 'session_version', 'deadline', 'terms')
if not order[1] then return answer('unknown_order') end
-- Whoever took the offer may have noted its session again since.
local untold = ask.told and ask.told.terms ~= '' and not order[4]
if order[2] ~= '0' and not untold then return answer('already') end
if not ask.told then
  if order[1] ~= 'pending' or tonumber(order[3]) <= now then return answer('too_late', order[1]) end
  local door = door_stands(DOOR, STOCKED)
  if door ~= 'open' then return answer('closed', door) end
elseif ask.told.terms ~= '' then
  redis.call('HSET', ORDER, 'terms', ask.told.terms, 'form', ask.told.form)
end
keep_parts()
if order[2] == '0' then redis.call('HSET', ORDER, 'session_version', '1') end
if order[1] == 'pending' then schedule('ask:' .. ask.order, now + ask.ask_ms) end
return answer('chosen')
