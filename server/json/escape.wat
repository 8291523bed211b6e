;; The escapes of a JSON string (RFC 8259, section 7), 16 bytes at a time. V8's JSON.stringify takes each character by itself.
;; `npm run wasm` compiles this file to escape-module.ts.
(module
  ;; long-string.ts says what is where. The first KB holds the escapes of the bytes 0x00 to 0x7f, 8 bytes for each: up to 6 bytes of text,
  ;; and the number of these in the last one.
  (memory (export "memory") 19)

  ;; Writes the UTF-8 in [from, end) with its escapes to `to`. Reads and writes up to 16 bytes more. Returns the end of what was written.
  (func (export "escapeJson") (param $from i32) (param $end i32) (param $to i32) (result i32)
    (local $bytes v128)
    (local $escaped i32) ;; a bit for each byte that has to be escaped
    (local $plain i32)   ;; bytes before the first of these
    (local $entry i32)
    (loop $next
      (if (i32.lt_u (local.get $from) (local.get $end))
        (then
          (local.set $bytes (v128.load (local.get $from)))
          (v128.store (local.get $to) (local.get $bytes))
          (local.set $escaped
            (i8x16.bitmask
              (v128.or
                (i8x16.lt_u (local.get $bytes) (i8x16.splat (i32.const 0x20)))
                (v128.or
                  (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x22)))      ;; "
                  (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5c))))))) ;; \
          ;; Bit 16 stands for "none": all 16 bytes are plain.
          (local.set $plain (i32.ctz (i32.or (local.get $escaped) (i32.const 0x10000))))
          (local.set $from (i32.add (local.get $from) (local.get $plain)))
          (local.set $to (i32.add (local.get $to) (local.get $plain)))
          (if (i32.and (i32.ne (local.get $plain) (i32.const 16)) (i32.lt_u (local.get $from) (local.get $end)))
            (then
              (local.set $entry (i32.shl (i32.load8_u (local.get $from)) (i32.const 3)))
              (i64.store (local.get $to) (i64.load (local.get $entry)))
              (local.set $to (i32.add (local.get $to) (i32.load8_u offset=7 (local.get $entry))))
              (local.set $from (i32.add (local.get $from) (i32.const 1)))))
          (br $next))))
    ;; The last 16 bytes may have gone beyond `end`.
    (i32.sub (local.get $to) (i32.sub (local.get $from) (local.get $end)))))
