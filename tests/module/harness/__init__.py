"""What the module tests stand on: a private httpd, raw WebSocket peers, backends that do as they are told.

Nothing here knows what the module should do; that is said in the test files beside this folder.
"""
