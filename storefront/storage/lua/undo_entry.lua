-- Undo a restock or a write-off by an entry that moves the same units back, once for each entry.
--
-- Units that came in are written off: what ever came in is never made less, since Stripe keeps it too.
-- KEYS  as in books.lua, with undone (hash, entry of the ledger -> when it was undone (ms)) in the
--       place of order:ID
-- ASK   entry (its id in the ledger), who
-- ANSWER done SKU | already | not_enough SKU UNITS (that are left there) | not_by_hand | unknown_entry
-- E.g.  an entry of 5 units that came in, 3 of them held since: not_enough SKU 2; nothing changes
local rows = redis.call('XRANGE', LEDGER, ask.entry, ask.entry)
if #rows == 0 then return answer('unknown_entry') end
if redis.call('HEXISTS', ORDER, ask.entry) == 1 then return answer('already') end
local fields, row = rows[1][2], {}
for i = 1, #fields, 2 do row[fields[i]] = fields[i + 1] end
if row.order ~= '' or (row.what ~= 'restock' and row.what ~= 'write_off') then return answer('not_by_hand') end
local quantity, from = tonumber(row.quantity), row.target
local to = row.origin == '' and 'written_off' or row.origin
local left = units(COUNTERS[from], row.sku)
if left < quantity then return answer('not_enough', row.sku, int(left)) end
local line = to == 'available' and strangers({ { sku = row.sku, quantity = quantity } })
if line then return line end
redis.call('HSET', ORDER, ask.entry, int(now))
move(row.sku, quantity, from, to, to == 'available' and 'restock' or 'write_off', 'undo of ' .. ask.entry, ask.who)
return answer('done', row.sku)
