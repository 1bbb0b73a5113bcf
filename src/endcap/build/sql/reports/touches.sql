-- What can earn credit. A mere view can only when the shop wants it so; views are many.
SELECT * FROM met WHERE kind <> 'view' OR :view_through = 1
