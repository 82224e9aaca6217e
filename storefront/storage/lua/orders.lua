-- orders.lua: what an order is and holds. It follows books.lua.

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

-- Whether a person looks at the order, and money of it is here: until that is decided nothing else buys it.
local function money_at_hand(state)
  for _, left in pairs(state == 'review' and money_left() or {}) do
    if left > 0 then return true end
  end
  return false
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

