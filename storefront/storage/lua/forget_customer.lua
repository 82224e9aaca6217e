-- Take out of an order who its customer is: address, name, where it was sent.
--
-- Only when nothing more is to be done for them; what was sold and paid stays. What Stripe tells of it
-- later brings no address back, see keep_email and keep_parts.
-- KEYS  as in books.lua, with asked (as in mail_orders) in the place of seen:EVENT
-- ASK   order
-- ANSWER forgotten | already (before) | owed JOB (this is still due for the order) | unsent (the goods
--       are still to be sent) | underway STATE (it is not over) | unknown_order
-- E.g.  a fulfilled order of ada@example.com: forgotten; mailboxes has her no more, the units stay sold
local fields = redis.call('HMGET', ORDER, 'state', 'email', 'created', 'way', 'erased')
local state, email = fields[1], fields[2]
if not state then return answer('unknown_order') end
if fields[5] then return answer('already') end
if state == 'paid' and fields[4] == 'delivery' then return answer('unsent') end
local over = { paid = true, fulfilled = true, released = true, refunded = true, voided = true }
if not over[state] then return answer('underway', state) end
for _, job in ipairs(redis.call('ZRANGE', DUE, 0, -1)) do
  if string.find(job .. ':', ':' .. ask.order .. ':', 1, true) then return answer('owed', job) end
end
if email then
  redis.call('ZREM', MAILBOXES, string.lower(email) .. ' ' .. fields[3] .. ' ' .. ask.order)
  redis.call('ZREM', SEEN, string.lower(email))
end
redis.call('HDEL', ORDER, 'email', 'recipient', 'visitor', 'address')
redis.call('HSET', ORDER, 'erased', int(now))
return answer('forgotten')
