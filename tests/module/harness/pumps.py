"""The ways a tunnel is kept going, as one configuration line each: tests of tunnels run with all of them."""

# In the event loop of the child; in the request thread by choice; in the request thread because a connection filter
# that the module does not know sits in between.
PUMPS = {"loop": "ProxyWebsocketAsync On", "thread": "ProxyWebsocketAsync Off", "filtered": "DumpIOInput On"}
