-- Offer the available units of a SKU to those in line: what the script that freed them could not.
--
-- KEYS  as in books.lua
-- ASK   sku
-- ANSWER done | later: it is off the shelf, not on sale yet, or the books are not whole
-- E.g.  70 units for a line of 100: done; 50 are offered, due: offer:SKU for the other 20
local line = strangers({ { sku = ask.sku, quantity = 0 } })
if line then return line end
return answer(pass_on(ask.sku, true) and 'later' or 'done')
