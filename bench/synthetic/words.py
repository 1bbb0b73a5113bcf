"""The words synthetic products are made of."""

TOPS = (
    "Home", "Kitchen", "Garden", "Toys", "Books", "Sports", "Beauty", "Office", "Pets", "Tools",
    "Shoes", "Women", "Men", "Children", "Electronics", "Music", "Food", "Health", "Travel",
    "Craft",
)  # fmt: skip
KINDS = (
    "Lamp", "Chair", "Bowl", "Mug", "Bag", "Shirt", "Ball", "Brush", "Cable", "Case", "Clock",
    "Cover", "Cup", "Desk", "Dress", "Frame", "Game", "Glove", "Hat", "Holder", "Jacket", "Jar",
    "Kit", "Knife", "Mat", "Mirror", "Pan", "Pen", "Pillow", "Plate", "Pot", "Rack", "Ring", "Rug",
    "Scarf", "Set", "Shelf", "Spoon", "Stand", "Stool", "Table", "Tin", "Towel", "Tray", "Vase",
)  # fmt: skip
COLOURS = ("red", "blue", "green", "black", "white", "grey", "pink", "yellow", "brown", "ivory")
MATERIALS = ("wood", "steel", "glass", "cotton", "wool", "paper", "plastic", "leather", "ceramic")
STYLES = ("vintage", "modern", "rustic", "classic", "retro", "plain", "nordic", "floral")
SIZES = ("S", "M", "L", "XL")
