-- Read how the shop's door stands, and which server this is.
--
-- KEYS  1 door (hash), 2 stock:stocked (hash, SKU -> units)
-- ARGV  none
-- ANSWER open RUN | restarted RUN | rebuild RUN | empty RUN
-- E.g.  the server's first look at books that another one kept: restarted 7c1f…
assert(#KEYS == 2 and #ARGV == 0, 'two keys, no arguments')
return { door_stands(KEYS[1], KEYS[2]), this_run() }
