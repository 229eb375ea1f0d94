"""The exchange itself: books, orders, accounts and liquidations in exact integers."""
