module guestbook

go 1.15
