module ts-micro.example/interop/peer

go 1.24
