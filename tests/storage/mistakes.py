"""Mistakes that could be made in the scripts, for the state machine to find."""

MISTAKES = {
    "a payment is settled again": (
        "settle_payment",
        "if redis.call('HEXISTS', ORDER, payment) == 1 or",
        "if",
    ),
    "a late payer gets units that are gone": (
        "settle_payment",
        "not (fields[7] and all_in(AVAILABLE, lines) or all_free(lines))",
        "false",
    ),
    "a second payment is kept": (
        "settle_payment",
        "send_back('duplicate')",
        """redis.call('HSET', ORDER, payment, int(ask.amount),
  'refund_reason:' .. ask.payment_intent, 'duplicate')""",
    ),
    "the session that was paid elsewhere stays open": (
        "settle_payment",
        "schedule('stray:' .. ask.order .. ':' .. fields[5], now)",
        "",
    ),
    "one unit is enough for a line of three": (
        "hold_stock",
        "if available < line.quantity then",
        "if available < 1 then",
    ),
    "a visitor has one hold too many": (
        "hold_stock",
        "redis.call('ZLEXCOUNT', index, from, to) < limit",
        "redis.call('ZLEXCOUNT', index, from, to) <= limit",
    ),
    "a hold has no deadline on the list": (
        "books",
        "schedule('expire:' .. ask.order, deadline)",
        "",
    ),
    "another session's end releases the hold": (
        "release_hold",
        "if word and session ~= ask.session then",
        "if false then",
    ),
    "an old key's word releases the hold": (
        "release_hold",
        "tonumber(fields[5]) ~= ask.version",
        "false",
    ),
    "an expired session undoes a sale": (
        "release_hold",
        "if not holding then return answer('kept', state) end",
        "",
    ),
    "a hold that ended stays on the list of holds": (
        "books",
        "redis.call('ZREM', HOLDS, ask.order)",
        "",
    ),
    "new units are not counted as stocked": (
        "books",
        "if from == '' then redis.call('HINCRBY', STOCKED, sku, int(quantity)) end",
        "",
    ),
    "a job that was put off is done no sooner than that": (
        "books",
        "if not due or tonumber(due) > at then",
        "if not due then",
    ),
    "an order stays listed for an address that it no longer has": (
        "books",
        "redis.call('ZREM', MAILBOXES, string.lower(was[1]) .. listed)",
        "string.format('listed')",
    ),
    "an address is asked for twice": (
        "mail_orders",
        "if redis.call('ZADD', ASKED, 'NX', int(now), address) == 0 then",
        "if false then",
    ),
    "a second session is forgotten": (
        "attach_session",
        "if note_session(ask.session) then schedule(",
        "if note_session(ask.session) then string.format(",
    ),
    "two processes renew one key": (
        "renew_session",
        "if order[1] ~= 'pending' or tonumber(order[2]) ~= ask.version then",
        "if order[1] ~= 'pending' then",
    ),
    "a hold whose money is on its way ends by itself": (
        "mark_processing",
        "redis.call('ZREM', DUE, 'expire:' .. ask.order)",
        "",
    ),
    "a refund's older word undoes a newer one": (
        "record_refund",
        "if was and rank(was.status) >= rank(ask.status) then",
        "if was and was.status == ask.status then",
    ),
    "a part of the money back ends the order": (
        "record_refund",
        "own > 0",
        "false",
    ),
    "a second payment's way back ends the order": (
        "record_refund",
        "own > 0",
        "owed[ask.payment_intent] > 0",
    ),
    "the rest of a refund is forgotten": (
        "record_refund",
        "if wanted[ask.payment_intent] or (fields[5] and owed[ask.payment_intent] > 0) then",
        "if false then",
    ),
    "what went back of one payment counts for another": (
        "books",
        "owed[refund.payment_intent] = (owed[refund.payment_intent] or 0) - refund.amount",
        "for payment, left in pairs(owed) do owed[payment] = left - refund.amount end",
    ),
    "a review ends though another payment was kept": (
        "orders",
        "if left > 0 then return true end",
        "",
    ),
    "a refund is noted of a payment that is not known": (
        "record_refund",
        "if redis.call('HEXISTS', ORDER, 'payment:' .. ask.payment_intent) == 0 then",
        "if false then",
    ),
    "an authorisation that ended is taken once more": (
        "authorize_payment",
        "if known[1] or known[2] or known[3] then",
        "if known[1] or known[2] then",
    ),
    "a late authorisation gets units that are gone": (
        "authorize_payment",
        "not (fields[6] and all_in(AVAILABLE, lines) or all_free(lines))",
        "false",
    ),
    "a second authorisation is kept": (
        "authorize_payment",
        "schedule(void, now)\n  return answer('duplicate', state)",
        "return answer('duplicate', state)",
    ),
    "an authorisation is never captured": (
        "authorize_payment",
        "schedule('capture:' .. ask.order .. ':' .. ask.payment_intent, now)",
        "",
    ),
    "one authorisation serves two orders": (
        "authorize_payment",
        "redis.call('HSET', PAYMENTS, ask.payment_intent, ask.order)",
        "",
    ),
    "what was captured counts as a second payment": (
        "settle_payment",
        "if paid_by == ask.payment_intent and at == 'sold' then",
        "if false then",
    ),
    "what ended is captured all the same": (
        "void_payment",
        "redis.call('ZREM', DUE, 'capture:'",
        "redis.call('ZREM', DUE, 'captured:'",
    ),
    "the end of a second authorisation takes the goods": (
        "void_payment",
        "if fields[4] ~= ask.payment_intent then return answer('voided') end",
        "",
    ),
    "nobody is told that an authorisation ended": (
        "void_payment",
        "schedule('mail:voided:' .. ask.order .. ':' .. ask.payment_intent, now)\nif fields[4]",
        "if fields[4]",
    ),
    "what the operator cancelled stays authorised": (
        "cancel_authorized",
        "schedule('void:' .. ask.order .. ':' .. payment, now)",
        "",
    ),
    "what the operator cancelled is captured": (
        "cancel_authorized",
        "redis.call('ZREM', DUE, 'capture:' .. ask.order .. ':' .. payment)",
        "",
    ),
    "handed-over units come back on sale": (
        "books",
        "local late = math.min(",
        "local late = 0 * math.min(",
    ),
    "an order that was fetched stays paid": (
        "hand_over",
        "if all_handed(own) then set_state('fulfilled') end",
        "",
    ),
    "what was taken back stays fulfilled": (
        "take_back",
        "if state == 'fulfilled' then",
        "if false then",
    ),
    "one payment buys two orders": (
        "settle_payment",
        "if owner and owner ~= ask.order then",
        "if false then",
    ),
    "a question that came anew is taken off the list": (
        "books",
        "int(due and math.min(tonumber(due) - 1, at) or at)",
        "int(due and math.min(tonumber(due), at) or at)",
    ),
    "units that came in are not told to Stripe": (
        "books",
        "schedule_anew('mirror:' .. sku, now)",
        "string.format('mirror')",
    ),
    "an order that a person released can still be paid": (
        "release_hold",
        "schedule('stray:' .. ask.order .. ':' .. session, now)",
        "string.format('stray')",
    ),
    "a paid order in review keeps its place in the queue": (
        "review_order",
        "keep_for_a_person(cjson.decode(fields[2]))",
        "",
    ),
    "sold units are taken off the shelf": (
        "restock",
        "if units(AVAILABLE, ask.sku) + ask.delta < 0 then",
        "if units(STOCKED, ask.sku) + ask.delta < 0 then",
    ),
    "a form that was sent twice counts twice": (
        "restock",
        "if redis.call('EXISTS', SEEN) == 1 then return answer('already') end",
        "",
    ),
    "a second import counts the first stock again": (
        "publish_catalogue",
        "if redis.call('HEXISTS', STOCKED, sku) == 0 then",
        "if true then",
    ),
    "a taken job stays due": (
        "claim_due",
        "redis.call('ZADD', KEYS[1], lease, jobs[i])",
        "",
    ),
    "a job that is due again is taken off the list": (
        "finish_due",
        "if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 'taken' end",
        "if not score then return 'taken' end",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""
