# `flask shop …` finds the shop by itself. Settings go into .env (see .env.example).
FLASK_APP=wsgi.py
