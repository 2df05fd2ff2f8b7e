# Talks through faye-websocket (Debian's ruby-faye-websocket): text, bytes, a Ping and a Close, all of which must come back.
# Usage: ruby faye-client.rb URL
require 'eventmachine'
require 'faye/websocket'

EM.run do
  socket = Faye::WebSocket::Client.new(ARGV[0], ['chat'])
  heard = []
  socket.on(:open) { socket.send('grüß dich') }
  socket.on(:message) do |event|
    heard << event.data
    if heard.size == 1
      socket.send([0, 255, 128] * 1000)
    else
      socket.ping('still there?') { socket.close(1000, 'done') }
    end
  end
  socket.on(:close) do |event|
    puts "#{heard[0]} #{heard[1]&.length} closed #{event.code} #{event.reason}"
    EM.stop
  end
end
