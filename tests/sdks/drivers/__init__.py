"""What uses the SDKs: small programs and a page that do what they are told, with the lines of docs/sdks.md."""
