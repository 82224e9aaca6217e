"""What happens: one function for each event in the shop's life, its steps in order.

A service gets the shop (``shop.Shop``): its settings, its store and its clients. It knows nothing of
HTTP, forms or command lines.
"""
