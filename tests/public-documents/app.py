"""A small application whose document FastAPI makes, with what its users write every day."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Cookie, Depends, FastAPI, File, Header, HTTPException, Path, Query, UploadFile
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from pydantic import BaseModel, EmailStr, Field, HttpUrl

app = FastAPI(title="Bookshop", version="1.4.0", description="Books, and orders of them.", servers=[{"url": "/"}])
signed_in = OAuth2PasswordBearer(tokenUrl="token", scopes={"orders": "Place orders"})
internal = APIKeyHeader(name="X-Key")


class Genre(StrEnum):
    FICTION = "fiction"
    SCIENCE = "science"


class Paper(BaseModel):
    kind: Literal["paper"]
    pages: Annotated[int, Field(gt=0, le=5000)]


class Audio(BaseModel):
    kind: Literal["audio"]
    seconds: Annotated[float, Field(ge=0)]


class BookDraft(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=200, examples=["Emma"])]
    isbn: Annotated[str, Field(pattern=r"^\d{13}$")] | None = None
    genre: Genre = Genre.FICTION
    edition: Annotated[Paper | Audio, Field(discriminator="kind")]
    size: tuple[int, int] | None = None
    tags: set[str] = set()
    sequels: list["BookDraft"] = []


class Book(BookDraft):
    id: UUID
    cover: HttpUrl | None
    added: datetime
    prices: dict[str, float] = {}


class Order(BaseModel):
    book: UUID
    mail: EmailStr
    note: str | int | None = Field(default=None, deprecated=True)


@app.get("/books", tags=["books"])
def list_books(
    genre: Genre | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    tags: Annotated[list[str] | None, Query()] = None,
    language: Annotated[str | None, Header()] = None,
    visit: Annotated[str | None, Cookie()] = None,
) -> list[Book]:
    """All books."""
    raise HTTPException(501)


@app.post("/books", tags=["books"], status_code=201, dependencies=[Depends(internal)])
def add_book(book: BookDraft) -> Book:
    """Add a book."""
    raise HTTPException(501)


@app.get("/books/{book}", tags=["books"], responses={404: {"description": "There is no such book."}})
def get_book(book: Annotated[UUID, Path(description="The id of a book.")]) -> Book:
    """One book."""
    raise HTTPException(501)


@app.put("/books/{book}/cover", tags=["books"], status_code=204)
def set_cover(book: UUID, image: Annotated[UploadFile, File()]) -> None:
    """Set the picture of a book."""
    raise HTTPException(501)


@app.post("/orders", tags=["orders"], dependencies=[Depends(signed_in)], status_code=202, deprecated=True)
def place_order(order: Order) -> dict[str, UUID]:
    """Order a book."""
    raise HTTPException(501)


@app.webhooks.post("order-shipped", tags=["orders"])
def order_shipped(order: Order) -> None:
    """Sent when an order leaves."""
