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

