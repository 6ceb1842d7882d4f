module countersign.example/clients

go 1.19
