-- books.lua: how the shop's books are kept. It stands in front of every script that writes in them.
--
-- One script is one change: counters, hold, order, ledger, due jobs and the published change move
-- together or not at all. Redis does not roll back, so a script checks everything before it writes.
--
-- KEYS 1-5   stock:available|held|sold|written_off|stocked   hash, SKU -> units
--      6     units      hash, order -> "held SKU=n,…" or "sold SKU=n,…": where its units are counted
--      7     holds      sorted set, order by deadline (ms)
--      8     returns    sorted set, SKU:order by deadline (ms); only holds that end by themselves
--      9-10  visitors, addresses   sorted sets, who:created:order; live holds, in order of time
--      11    orders     sorted set, order by creation (ms)
--      12    states     sorted set, state:created:order
--      13    payments   hash, PaymentIntent -> order
--      14    due        sorted set, job by the time it is due (ms)
--      15    ledger     stream, one entry for each change of stock
--      16    live       channel of published changes, {SKU: {available, held}}
--      17    metrics   hash, counter -> times
--      18    mailboxes  sorted set, "address created order", the address in small letters
--      19    waiting    sorted set, SKU:number:place; confirmed places, in the order of joining
--      20    places     hash, place -> JSON; every place in the waitlist
--      21    door       hash, as in door.lua
--      22    sales      hash, minute of a ring of two days -> "minute units" sold in it
--      23    seen:EVENT string, 35 days; written only when ask.event names one
--      24-25 order:ID hash, hold:ID hash with a TTL
--      26-   the same two keys of each order in ask.offers
-- ARGV 1     the question, a JSON object; ask.order is always the order's id (or empty), ask.count
--            (optional) the counter in metrics that the answer's word is added to. ask.offers
--            (optional) {order: {at (of its keys), line, opens_at}}: who is next in line, each with
--            the line that it would be offered, none when that is off the shelf; with it ask.offer_ms,
--            ask.grace_ms, ask.currency, and ask.last: go on with those, whoever came in between.
--            Of a hold ask.ask_ms (after so long with no payment page the worker looks) and (optional)
--            ask.terms {text (JSON), shipping (minor units) and way (as far as known), undecided}.
--            Of a payment ask.payment_intent, ask.session (may be empty), ask.amount (minor units) and
--            (optional) ask.parts
--            {total, shipping, tax, discount (minor units), way, recipient (JSON; may be empty)};
--            ask.in_turn: whoever paid in time has the goods, should Redis have lost anything
local AVAILABLE, HELD, SOLD, WRITTEN_OFF, STOCKED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local UNITS, HOLDS, RETURNS, VISITORS, ADDRESSES = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local ORDERS, STATES, PAYMENTS, DUE, LEDGER = KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15]
local LIVE, METRICS, MAILBOXES, WAITING, PLACES = KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20]
local DOOR, SALES, SEEN, ORDER, HOLD = KEYS[21], KEYS[22], KEYS[23], KEYS[24], KEYS[25]
local COUNTERS = { available = AVAILABLE, held = HELD, sold = SOLD, written_off = WRITTEN_OFF }
local SEEN_SECONDS = 35 * 24 * 3600
local SALES_MINUTES = 2880 -- two days: whatever the time zone, today is among them
local MOST_OFFERS = 50 -- in one script; the next ones are due at once
local OFFER_AGAIN_MS = 60000
local LATER_MS = 30000 -- before the lease of whoever asks ends, so that its job stays due
local MOST_FIELDS = 400 -- of an order: beyond, no more of Stripe's events are listed in it
assert(#KEYS >= 25 and #KEYS % 2 == 1 and #ARGV == 1, '25 keys, two for each offer, and one argument, a JSON object')
local ask = cjson.decode(ARGV[1])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local changed, has_changed = {}, false

-- A whole number as text: Lua would write large ones as 1.7e+12.
local function int(number)
  return string.format('%d', number)
end

local function units(counter, sku)
  return tonumber(redis.call('HGET', counter, sku) or '0')
end

-- Whether every line's units are in this counter.
local function all_in(counter, lines)
  for _, line in ipairs(lines) do
    if units(counter, line.sku) < line.quantity then return false end
  end
  return true
end

local function schedule(job, at)
  local due = redis.call('ZSCORE', DUE, job)
  if not due or tonumber(due) > at then redis.call('ZADD', DUE, int(at), job) end
end

-- The same when the job is due anew: who has it in hand looked before this change, and must not take
-- it off the list. finish_due takes off what is due when its lease ends, and not a moment before.
local function schedule_anew(job, at)
  local due = redis.call('ZSCORE', DUE, job)
  redis.call('ZADD', DUE, int(due and math.min(tonumber(due) - 1, at) or at), job)
end

-- Units were sold in this minute. Its place in the ring is taken over from the minute two days before, so
-- the hash never grows beyond the ring, and a page reads all of it at a cost that no sale changes.
local function note_sale(quantity)
  local minute = math.floor(now / 60000)
  local slot = int(minute % SALES_MINUTES)
  local of, sold = string.match(redis.call('HGET', SALES, slot) or '', '^(%d+) (%d+)$')
  if tonumber(of) ~= minute then sold = 0 end
  redis.call('HSET', SALES, slot, int(minute) .. ' ' .. int(sold + quantity))
end

-- Before the first entry that a server writes which does not know its books to be whole: what was lost
-- came after the last one of the server before.
local function note_loss()
  if redis.call('HEXISTS', DOOR, 'since') == 1 or door_stands(DOOR, STOCKED) ~= 'restarted' then return end
  local last = redis.call('XREVRANGE', LEDGER, '+', '-', 'COUNT', 1)[1]
  if last then redis.call('HSET', DOOR, 'since', (string.match(last[1], '^%d+'))) end
end

-- Move units between two counters ('' is outside the shop) and write it into the ledger. Stripe keeps a
-- copy of what came in and what was written off, so a change of either makes that due.
local function move(sku, quantity, from, to, what, why, who)
  if not has_changed then note_loss() end
  if from ~= '' then redis.call('HINCRBY', COUNTERS[from], sku, int(-quantity)) end
  if to ~= '' then redis.call('HINCRBY', COUNTERS[to], sku, int(quantity)) end
  if from == '' then redis.call('HINCRBY', STOCKED, sku, int(quantity)) end
  if from == '' or from == 'written_off' or to == 'written_off' then schedule_anew('mirror:' .. sku, now) end
  redis.call('XADD', LEDGER, '*', 'sku', sku, 'what', what, 'quantity', int(quantity),
    'origin', from, 'target', to, 'order', ask.order or '', 'why', why, 'who', who or '',
    'available', int(units(AVAILABLE, sku)), 'held', int(units(HELD, sku)),
    'sold', int(units(SOLD, sku)), 'written_off', int(units(WRITTEN_OFF, sku)),
    'stocked', int(units(STOCKED, sku)))
  -- What a rebuild brings back was sold before.
  if what == 'sell' or what == 'retake' and why ~= 'restored' then note_sale(quantity) end
  changed[sku], has_changed = true, true
end

-- Move all units of an order, and note where they are counted from now on.
local function move_order(lines, basket, from, to, what, why, who)
  for _, line in ipairs(lines) do
    move(line.sku, line.quantity, from, to, what, why, who)
  end
  if #lines > 0 and (to == 'held' or to == 'sold') then
    redis.call('HSET', UNITS, ask.order, to .. ' ' .. basket)
  else
    redis.call('HDEL', UNITS, ask.order)
  end
end

-- Some lines as the hash of units writes them: SKU=n,…
local function basket_of(lines)
  local text = ''
  for _, line in ipairs(lines) do
    text = text .. (text == '' and '' or ',') .. line.sku .. '=' .. int(line.quantity)
  end
  return text
end

-- Move some units of an order; the rest stays where it is counted.
local function move_some(some, rest, from, to, what, why, who)
  move_order(some, '', from, to, what, why, who)
  if #rest > 0 then redis.call('HSET', UNITS, ask.order, from .. ' ' .. basket_of(rest)) end
end

-- The lines that are still the order's own: without the units that went back by a refund of some.
local function its_own(lines)
  local own = {}
  for _, line in ipairs(lines) do
    local quantity = line.quantity - units(ORDER, 'gone:' .. line.sku)
    if quantity > 0 then own[#own + 1] = { sku = line.sku, quantity = quantity } end
  end
  return own
end

-- What of each payment has not gone back, what of that the operator wants sent and Stripe has not told
-- of, and all that the operator ever wanted of this order, by its key.
local function money_left()
  local owed, wanted, plans = {}, {}, {}
  local all = redis.call('HGETALL', ORDER)
  for i = 1, #all, 2 do
    local kind, id = string.match(all[i], '^(%a+):(.*)$')
    if kind == 'payment' then
      owed[id] = (owed[id] or 0) + tonumber(all[i + 1])
    elseif kind == 'refund' then
      local refund = cjson.decode(all[i + 1])
      if refund.status ~= 'failed' and refund.status ~= 'canceled' then
        owed[refund.payment_intent] = (owed[refund.payment_intent] or 0) - refund.amount
      end
    elseif kind == 'plan' then
      plans[id] = cjson.decode(all[i + 1])
      local plan = plans[id]
      if not plan.refund and not plan.given_up then
        wanted[plan.payment_intent] = (wanted[plan.payment_intent] or 0) + plan.amount
      end
    end
  end
  return owed, wanted, plans
end

-- Where the order's units are counted: 'held', 'sold' or 'none'. To be asked before the first write:
-- books that disagree stop the script here.
local function units_at(lines)
  local entry = redis.call('HGET', UNITS, ask.order)
  local at = entry and string.match(entry, '^%a+') or 'none'
  assert(at == 'none' or all_in(COUNTERS[at], lines), 'the books disagree: fewer units in ' .. at .. ' than the order has')
  return at
end

local function set_state(state, reason)
  local was = redis.call('HMGET', ORDER, 'state', 'created')
  if was[1] then redis.call('ZREM', STATES, was[1] .. ':' .. was[2] .. ':' .. ask.order) end
  redis.call('ZADD', STATES, 0, state .. ':' .. was[2] .. ':' .. ask.order)
  redis.call('HSET', ORDER, 'state', state, 'reason', reason or '', 'updated', int(now), 'at:' .. state, int(now))
end

-- Whether every unit of these, the order's own, is with its customer.
local function all_handed(own)
  for _, line in ipairs(own) do
    if units(ORDER, 'handed:' .. line.sku) < line.quantity then return false end
  end
  return own[1] ~= nil
end

-- Units leave the order, those that the shop still has first. Of what the customer has, only what the
-- operator knew of (seen, by SKU) goes where the operator said; what was handed over since is written off.
local function send_out(some, rest, from, to, seen, why, who)
  local here, kept = {}, {}
  local away = {}
  for _, line in ipairs(rest) do kept[line.sku] = line.quantity end
  for _, line in ipairs(some) do
    local with = units(ORDER, 'handed:' .. line.sku)
    local taken = math.max(0, with - (kept[line.sku] or 0))
    local late = math.min(taken, math.max(0, with - (seen[line.sku] or 0)))
    if taken > 0 then redis.call('HINCRBY', ORDER, 'handed:' .. line.sku, int(-taken)) end
    if line.quantity > late then here[#here + 1] = { sku = line.sku, quantity = line.quantity - late } end
    if late > 0 then away[#away + 1] = { sku = line.sku, quantity = late } end
  end
  move_some(here, rest, from, to, 'return', why, who)
  for _, line in ipairs(away) do move(line.sku, line.quantity, from, 'written_off', 'return', why, who) end
end

-- Stripe has told of the refund that a plan was made for: its units go where the operator said. Those
-- that stay with the customer are only written down. Answers the lines left, and where they are.
local function carry_out(key, plan, refund, lines, at)
  local some, rest, wanted = {}, {}, {}
  for _, line in ipairs(plan.lines) do wanted[line.sku] = line.quantity end
  for _, line in ipairs(lines) do
    local quantity = at == 'sold' and math.min(wanted[line.sku] or 0, line.quantity) or 0
    if quantity > 0 then some[#some + 1] = { sku = line.sku, quantity = quantity } end
    if quantity < line.quantity then rest[#rest + 1] = { sku = line.sku, quantity = line.quantity - quantity } end
  end
  plan.refund, plan.given_up = refund, nil
  redis.call('HSET', ORDER, 'plan:' .. key, cjson.encode(plan))
  if plan.to == 'sold' then
    for _, line in ipairs(some) do move(line.sku, line.quantity, at, at, 'keep', plan.reason, plan.who) end
  elseif #some > 0 then
    for _, line in ipairs(some) do redis.call('HINCRBY', ORDER, 'gone:' .. line.sku, int(line.quantity)) end
    send_out(some, rest, at, plan.to, plan.handed or {}, plan.reason, plan.who)
    lines, at = rest, #rest > 0 and at or 'none'
    if all_handed(rest) and redis.call('HGET', ORDER, 'state') == 'paid' then set_state('fulfilled') end
  end
  return lines, at
end

-- The shopper is done, though units may still be held: nobody is told that they may return, and
-- the hold counts for no limit, so that it never blocks its own shopper.
local function stop_promising(lines)
  for _, line in ipairs(lines) do
    redis.call('ZREM', RETURNS, line.sku .. ':' .. ask.order)
  end
  local who = redis.call('HMGET', ORDER, 'visitor', 'address', 'created')
  redis.call('ZREM', VISITORS, (who[1] or '') .. ':' .. who[3] .. ':' .. ask.order)
  redis.call('ZREM', ADDRESSES, (who[2] or '') .. ':' .. who[3] .. ':' .. ask.order)
  redis.call('HDEL', ORDER, 'address')
end

-- What the operator wanted sent back is not sent any more, unless Stripe has been asked for it already.
local function give_up_plans()
  local _, _, plans = money_left()
  for key, plan in pairs(plans) do
    if not plan.refund then
      plan.given_up = true
      redis.call('HSET', ORDER, 'plan:' .. key, cjson.encode(plan))
    end
  end
end

-- A person looks at the order now: its units stay, no deadline ends its hold, and what was wanted
-- before must be wanted anew.
local function keep_for_a_person(lines)
  give_up_plans()
  redis.call('PERSIST', HOLD)
  stop_promising(lines)
  redis.call('ZREM', DUE, 'ask:' .. ask.order, 'expire:' .. ask.order)
end

-- The hold is over; its units must be moved in the same script.
local function end_hold(lines)
  redis.call('DEL', HOLD)
  redis.call('ZREM', HOLDS, ask.order)
  stop_promising(lines)
  redis.call('ZREM', DUE, 'ask:' .. ask.order, 'expire:' .. ask.order)
end

-- Remember every session that the order ever had; the first one is its own. Whether it was new.
local function note_session(session)
  if session == '' then return false end
  local known = redis.call('HMGET', ORDER, 'session', 'sessions')
  local sessions = cjson.decode(known[2] or '[]')
  for _, one in ipairs(sessions) do
    if one == session then return false end
  end
  sessions[#sessions + 1] = session
  redis.call('HSET', ORDER, 'sessions', cjson.encode(sessions))
  if not known[1] then redis.call('HSET', ORDER, 'session', session) end
  return true
end

-- Keep the shopper's address, and list the order under it so that they can ask for their orders. Of an
-- order whose customer was forgotten nothing personal is kept again, whatever Stripe still tells.
local function keep_email()
  if not ask.email or ask.email == '' or redis.call('HEXISTS', ORDER, 'erased') == 1 then return end
  local was = redis.call('HMGET', ORDER, 'email', 'created')
  local listed = ' ' .. was[2] .. ' ' .. ask.order
  if was[1] then redis.call('ZREM', MAILBOXES, string.lower(was[1]) .. listed) end
  redis.call('ZADD', MAILBOXES, 0, string.lower(ask.email) .. listed)
  redis.call('HSET', ORDER, 'email', ask.email)
end

-- Who waits longest for a SKU, as SKU:number:place.
local function first_in_line(sku, most)
  return redis.call('ZRANGEBYLEX', WAITING, '[' .. sku .. ':', '(' .. sku .. ';', 'LIMIT', 0, int(most))
end

-- Whether units of a SKU are for those in line alone.
local function anyone_waits(sku)
  return first_in_line(sku, 1)[1] ~= nil
end

-- Whether every line's units are on sale to whoever comes.
local function all_free(lines)
  for _, line in ipairs(lines) do
    if anyone_waits(line.sku) then return false end
  end
  return all_in(AVAILABLE, lines)
end

-- The next offers of a SKU, one for each unit; a place for several units gets as many.
local function next_offers(sku, number)
  local found = {}
  for _, member in ipairs(first_in_line(sku, number)) do
    local id = string.match(member, '[^:]+$')
    local place = cjson.decode(redis.call('HGET', PLACES, id))
    for unit = place.offered + 1, #place.orders do
      if #found == number then return found end
      found[#found + 1] = { order = place.orders[unit], id = id, place = place, member = member }
    end
  end
  return found
end

-- What a script answers, before its first write, when units that it is about to free are to be offered
-- to orders whose keys it was not given: line ORDER SKU…, a few more than it needs. Python then asks
-- again with those. A line's units are those that come free; joining are the orders of a place that
-- is about to stand in line. Nil when it can go on.
local function strangers(lines)
  if ask.last then return nil end
  local found, named, missing = { 'line' }, ask.offers or {}, false
  for _, line in ipairs(lines) do
    local number = math.min(units(AVAILABLE, line.sku) + line.quantity, MOST_OFFERS)
    for i, offer in ipairs(number > 0 and next_offers(line.sku, number + 3) or {}) do
      missing = missing or (i <= number and not named[offer.order])
      found[#found + 1] = offer.order
      found[#found + 1] = line.sku
    end
    for _, order in ipairs(number > 0 and line.joining or {}) do
      missing = missing or not named[order]
      found[#found + 1] = order
      found[#found + 1] = line.sku
    end
  end
  return missing and door_stands(DOOR, STOCKED) == 'open' and found or nil
end

-- Hold one available unit for the next in line, as an order in state offered.
local function offer_unit(offer, given)
  local before = { order = ask.order, email = ask.email, key = ORDER, hold = HOLD }
  ask.order, ask.email, ORDER, HOLD = offer.order, offer.place.email, KEYS[given.at], KEYS[given.at + 1]
  local line, place, deadline = given.line, offer.place, now + ask.offer_ms
  local basket = line.sku .. '=1'
  redis.call('HSET', ORDER, 'id', offer.order, 'created', int(now), 'lines', cjson.encode({ line }),
    'basket', basket, 'currency', ask.currency, 'amount', int(line.unit_amount), 'visitor', '',
    'deadline', int(deadline), 'expires_at', '0', 'session_version', '0', 'place', offer.id,
    'language', place.language or '')
  keep_email()
  redis.call('ZADD', ORDERS, int(now), offer.order)
  set_state('offered')
  redis.call('HSET', HOLD, 'basket', basket, 'visitor', '', 'deadline', int(deadline))
  redis.call('PEXPIREAT', HOLD, int(deadline + ask.grace_ms))
  redis.call('ZADD', HOLDS, int(deadline), offer.order)
  redis.call('ZADD', RETURNS, int(deadline), line.sku .. ':' .. offer.order)
  move_order({ line }, basket, 'available', 'held', 'offer', 'next in line', '')
  schedule('mail:offer:' .. offer.order, now)
  schedule('expire:' .. offer.order, deadline)
  place.offered = place.offered + 1
  if place.offered == #place.orders then
    redis.call('ZREM', WAITING, offer.member)
    place.state = 'offered'
  end
  redis.call('HSET', PLACES, offer.id, cjson.encode(place))
  ask.order, ask.email, ORDER, HOLD = before.order, before.email, before.key, before.hold
end

-- Offer the available units of a SKU to those in line, in their order. What cannot be offered here
-- and now (its keys were not given, it is off the shelf, the books are not whole) is due, and nobody
-- else gets it meanwhile. Whether there is no use in trying again at once.
local function pass_on(sku)
  local number = math.min(units(AVAILABLE, sku), MOST_OFFERS)
  if number < 1 or not anyone_waits(sku) then return false end
  local given, later = nil, door_stands(DOOR, STOCKED) ~= 'open'
  for _, offer in ipairs(later and {} or next_offers(sku, number)) do
    given = (ask.offers or {})[offer.order]
    later = given and (not given.line or given.opens_at > now)
    if not given or later then break end
    offer_unit(offer, given)
  end
  if units(AVAILABLE, sku) == 0 or not anyone_waits(sku) then return false end
  schedule('offer:' .. sku, later and now + OFFER_AGAIN_MS or now)
  return later
end

-- A place is in line no more, and its address is forgotten; of a place that was taken anew since this
-- order was offered to it, nothing changes.
local function end_place(id, state, order)
  local place = cjson.decode(redis.call('HGET', PLACES, id) or 'null')
  local own = order == nil
  for _, one in ipairs(type(place) == 'table' and place.orders or {}) do own = own or one == order end
  if type(place) ~= 'table' or not own then return end
  redis.call('ZREM', WAITING, place.sku .. ':' .. place.number .. ':' .. id)
  redis.call('ZREM', DUE, 'lapse:' .. id, 'mail:waitlist:' .. id)
  place.state, place.email = state, nil
  redis.call('HSET', PLACES, id, cjson.encode(place))
end

-- The order can be paid from now on. With ask.terms more than the goods may be charged, as was offered
-- when the hold was taken. Undecided: our own page asks for the way first, no payment can be made
-- before, and until the deadline there is nothing to look after.
local function begin_payment(deadline)
  local terms = ask.terms
  local undecided = terms and terms.undecided
  redis.call('HSET', ORDER, 'session_version', undecided and '0' or '1')
  if terms then
    redis.call('HSET', ORDER, 'terms', terms.text, 'shipping', int(terms.shipping), 'way', terms.way)
    redis.call('HINCRBY', ORDER, 'amount', int(terms.shipping))
  end
  schedule('ask:' .. ask.order, undecided and deadline or now + ask.ask_ms)
  schedule('expire:' .. ask.order, deadline)
end

-- Whether a payment must wait because Redis may have lost something. Of an order without units: those that
-- are free may be another's. Of one for more than goods: what the payment is made of was known before, so
-- it was not told again. Stripe is then asked about it once more.
local function has_to_wait(at)
  local early = at == 'none' and not ask.in_turn and door_stands(DOOR, STOCKED) ~= 'open'
  local untold = not ask.parts and ask.session == '' and redis.call('HEXISTS', ORDER, 'terms') == 1
    and redis.call('HEXISTS', ORDER, 'authorized:' .. ask.payment_intent) == 0
    and redis.call('HEXISTS', ORDER, 'payment:' .. ask.payment_intent) == 0
  if not early and not untold then return false end
  schedule('ask:' .. ask.order .. (ask.amount > 0 and ':' .. ask.payment_intent or ''), now + LATER_MS)
  ask.event = nil -- it has no outcome yet
  return true
end

-- A payment that buys nothing: what was charged goes back, and who was charged nothing is told so.
local function send_back(why)
  if ask.amount == 0 then
    redis.call('HSET', ORDER, 'voided:' .. ask.payment_intent, '0', 'void_reason:' .. ask.payment_intent, why)
    schedule('mail:voided:' .. ask.order .. ':' .. ask.payment_intent, now)
    return
  end
  redis.call('HSET', ORDER, 'payment:' .. ask.payment_intent, int(ask.amount), 'refund_reason:' .. ask.payment_intent, why)
  schedule('refund:' .. ask.order .. ':' .. ask.payment_intent, now)
end

-- What the total of this payment is made of, and where the goods go: kept with the payment that the
-- order is about. Without ask.parts the order's amount is its goods', as it was held.
local function keep_parts()
  local parts = ask.parts
  if not parts then return end
  redis.call('HSET', ORDER, 'amount', int(parts.total), 'shipping', int(parts.shipping), 'tax', int(parts.tax),
    'discount', int(parts.discount), 'way', parts.way)
  -- An earlier payment that came to nothing may have named somebody.
  if parts.way == 'pickup' then redis.call('HDEL', ORDER, 'recipient') end
  if parts.recipient ~= '' and redis.call('HEXISTS', ORDER, 'erased') == 0 then redis.call('HSET', ORDER, 'recipient', parts.recipient) end
end

-- Every script's last step: what came free is for those in line; tell the open pages, remember the
-- event, answer.
local function answer(...)
  for sku in pairs(changed) do pass_on(sku) end
  if ask.count then redis.call('HINCRBY', METRICS, ask.count .. ':' .. (...), 1) end
  if has_changed then
    local levels = {}
    for sku in pairs(changed) do
      levels[sku] = { available = units(AVAILABLE, sku), held = units(HELD, sku) }
    end
    redis.call('PUBLISH', LIVE, cjson.encode(levels))
  end
  if ask.event then
    redis.call('SET', SEEN, int(now), 'EX', SEEN_SECONDS)
    if ask.order ~= '' and redis.call('HEXISTS', ORDER, 'state') == 1 and redis.call('HLEN', ORDER) < MOST_FIELDS then
      redis.call('HSETNX', ORDER, 'event:' .. ask.event, int(now)) -- for its story
    end
  end
  return { ... }
end
