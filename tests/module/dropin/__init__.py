"""What the drop-in tests share: backends that tell what reached them, requests as real clients send them, the table."""
